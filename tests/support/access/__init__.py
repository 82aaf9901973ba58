"""What the access matrix needs: a clinic with real data, what it stores, and the cells made of its routes."""
