"""`python -m mlops_audit` is `mlops-audit`."""

from mlops_audit.cli import main

if __name__ == "__main__":
    main()
