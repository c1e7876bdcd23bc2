"""A virtual roller that speaks the roller's Bluetooth profile. It never imports rolltrack."""
