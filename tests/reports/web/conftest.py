"""What the tests of pages have in common."""

from tests.reports.browsers import chrome as chrome
from tests.reports.browsers import driver as driver
