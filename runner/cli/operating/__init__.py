"""Commands of a monitor that stays: scheduler, dashboard, users, pauses, retention."""
