"""Projects from the template, lifted and mended: `new`, `upgrade` and `fix`, copier underneath.

Everything here needs the extra `template`; copier is imported only where it is called.
"""

from mlops_audit.scaffold.errors import ScaffoldError

__all__ = ["ScaffoldError"]
