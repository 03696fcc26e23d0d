"""KERONG KR-CU16 locker boards."""
