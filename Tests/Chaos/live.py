"""A live source: a program that writes numbered pictures into a pipe, at its own pace, whatever becomes of them."""
import os
import threading

from pictures import picture


class LiveSource:
    """Writes pictures 1, 2, 3, ... until it is stopped, or nobody reads any more."""

    def __init__(self, trial, rate=100, largest=20_000):
        self.reading, self._writing = os.pipe()
        os.set_inheritable(self.reading, True)
        self._random, self._rate, self._largest = trial.random, rate, largest
        self._end, self.written = threading.Event(), 0
        self._thread = threading.Thread(target=self._write, daemon=True)
        trial.afterwards(self.stop)

    def begin(self):
        """Once the program that reads has the pipe, so that its end is seen here."""
        os.close(self.reading)
        self._thread.start()

    def _write(self):
        with open(self._writing, "wb", buffering=0) as pipe:
            # The pace of the source; nothing is waited for with it.
            while not self._end.wait(1 / self._rate):
                try:
                    pipe.write(picture(self.written + 1, self._random.randint(300, self._largest)))
                except OSError:
                    return
                self.written += 1

    def stop(self):
        """Ends the input; how many pictures it had."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(30)
        return self.written


def stream(trial, *arguments, **options):
    """frame-send with such a source."""
    source = LiveSource(trial, **options)
    sender = trial.program("frame-send", "--input", "-", "--live", *arguments, stdin=source.reading)
    source.begin()
    return source, sender
