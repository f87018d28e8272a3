"""The front door: who may come in, from where, and what every answer carries.

Everything is closed unless a rule here opens it: the gate runs before every request of every
route (pages, callbacks, layout, assets), so that a route added later is closed as well.
"""
