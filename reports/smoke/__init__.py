"""Smoke checks: journeys run several times, compared with budgets and a baseline, to one verdict."""
