"""The Kalshi warehouse: exchange → records → warehouse → quality → people."""
