"""How well measurements of the same thing agree: methods, readers, repeats, and within patients.

Patients are the independent units: repeats, lesions and readers of one patient never count as
patients.
"""
