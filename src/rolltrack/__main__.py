"""`python -m rolltrack` is `rolltrack`."""

from rolltrack.cli.main import run

if __name__ == "__main__":
    run()
