"""Grafana's dashboards, as code.

A board is a frozen value (`boards`), written down in one module for each dashboard; `grafana` makes Grafana's JSON of
it.
`python -m monitoring.dashboards` writes the files of monitoring/grafana/dashboards/, which are checked in.
"""
