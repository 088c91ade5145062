"""A survey as a report: one file that is read without this page, and the same as JSON."""
