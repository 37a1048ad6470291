package host

var SupportedOn = supported

// Unsupported returns the methods of a LocalHost on an unsupported system.
func Unsupported(goos string) unsupportedHost { return unsupportedHost{unsupportedSystem(goos)} }
