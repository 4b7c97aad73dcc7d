"""Rules of Prometheus: promtool plays the cases in *.test.yml, and what no case can say is held beside them."""
