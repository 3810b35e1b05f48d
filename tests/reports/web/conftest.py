"""What the tests of pages have in common."""

from tests.support.browsers import chrome as chrome
from tests.support.browsers import driver as driver
