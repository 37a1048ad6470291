package host

// Writable says whether somebody else can write the executable.
func (h *LocalHost) Writable(path string) (by string, bad bool) { return "", false }
