"""What the roster and the patient page share: records of a cut, facts of a patient, its cards."""
