"""Numbers to figures: each module prepares numbers, then draws them (never imports dash)."""
