"""Images and files of messages: what they are, and how they are fetched. No I/O here."""
