"""Likelihood engine of linear mixed models nested in the patient: arrays in, arrays out.

Every function takes a leading replicate axis: one call fits many outcomes, starts or designs.
"""
