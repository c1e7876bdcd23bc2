"""A virtual roller: replays or invents motion and speaks the roller's Bluetooth profile. Never imports rolltrack."""
