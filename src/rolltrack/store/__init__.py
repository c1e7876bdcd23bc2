"""The session store."""
