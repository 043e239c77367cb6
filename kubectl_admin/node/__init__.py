"""One node's host, reached through the API alone: commands, files, jobs, and what they leave."""
