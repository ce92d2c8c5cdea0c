"""The pure core: facts in, verdict out. Start reading at ``verdict.py``.

Nothing here does I/O, asks the clock or knows a framework; everything imported is from this
package or the standard library (``make check`` proves it).
"""
