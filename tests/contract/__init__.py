"""The public classes on recordings, on the sandbox, under faults and with made-up data."""
