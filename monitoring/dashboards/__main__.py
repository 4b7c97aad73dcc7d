"""`python -m monitoring.dashboards`: writes monitoring/grafana/dashboards/*.json."""

from monitoring.dashboards import files


def main() -> None:
    """Write every file, and remove those of dashboards that are no more."""
    files.FOLDER.mkdir(exist_ok=True)
    wanted = files.contents()
    for path in files.FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (files.FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
