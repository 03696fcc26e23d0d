"""Staff badges and room beacons by Bluetooth: iBeacon, Eddystone-UID and Eddystone-EID."""
