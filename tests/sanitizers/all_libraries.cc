// Linked with everything that tests link with, so that `ldd` on it names every library that the
// thread sanitizer must be told to ignore.
int main() { return 0; }
