package host

import "fmt"

// A mount is a mounted file system.
type mount struct {
	id, point, kind, source string
	device, options         string // on Linux
}

func (m mount) String() string { return fmt.Sprintf("%s %s on %s", m.kind, m.source, m.point) }

// unknownMount stands for every file system if mounts are unknown.
var unknownMount = mount{point: "/", kind: "unknown", source: "file system"}
