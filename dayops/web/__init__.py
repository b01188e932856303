"""How people and programs meet DayOps: who may, what every page shares, and the ground floor's own pages."""
