"""Takes secret texts and credentials out of everything that is kept. docs/security.md states in which forms they are found."""

from runner.redaction.redactor import NOTHING, Redactor
from runner.redaction.secret_search import HIDDEN, SHORTEST

__all__ = ["HIDDEN", "NOTHING", "SHORTEST", "Redactor"]
