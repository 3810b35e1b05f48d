"""Smoke checks: journeys run several times, held against budgets and a baseline, to one verdict."""
