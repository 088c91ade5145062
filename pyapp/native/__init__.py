"""Lookdown without a browser: the ports of `pyapp.work`, fulfilled natively, and a command."""
