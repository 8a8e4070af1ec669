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
        self._end, self._before_last, self.written = threading.Event(), None, 0
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
                if not self._picture(pipe):
                    return
            if self._before_last is not None:
                self._before_last()
                self._picture(pipe)

    def _picture(self, pipe):
        """Writes the next one; whether somebody reads."""
        try:
            pipe.write(picture(self.written + 1, self._random.randint(300, self._largest)))
        except OSError:
            return False
        self.written += 1
        return True

    def stop(self, before_last=None):
        """Ends the input; how many pictures it had. With before_last there is one more picture after that was called."""
        if not self._end.is_set():
            self._before_last = before_last
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
