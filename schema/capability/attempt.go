package capability

// ExcerptLimit is the number of bytes of a probe's output that its evidence keeps.
const ExcerptLimit = 1 << 10

// An Attempt is one probe with its evidence.
type Attempt struct {
	Command  []string `json:"command"`
	Path     string   `json:"path,omitempty"`
	RealPath string   `json:"real_path,omitempty"`
	// ExitCode is nil if the command did not exit by itself.
	ExitCode   *int    `json:"exit_code,omitempty"`
	Signal     string  `json:"signal,omitempty"`
	DurationMS float64 `json:"duration_ms"`
	// Remembered reports that the command was not started again, and that the evidence is
	// from its last start.
	Remembered bool `json:"remembered,omitempty"`
	// VersionFile is the file that the version was read from, after the command answered.
	VersionFile string `json:"version_file,omitempty"`
	// Output is an excerpt of standard output, a newline and standard error: at most
	// ExcerptLimit bytes of valid UTF-8. It keeps control characters, so it must be
	// escaped before it reaches a terminal.
	Output         string `json:"output,omitempty"`
	Pattern        string `json:"pattern,omitempty"`
	PatternMatched *bool  `json:"pattern_matched,omitempty"`
	Version        string `json:"version,omitempty"`
	VersionRaw     string `json:"version_raw,omitempty"`
	// Versions holds all versions of a command with several that count, newest first.
	Versions []string `json:"versions,omitempty"`
	Optional bool     `json:"optional,omitempty"`
	Outcome  Outcome  `json:"outcome"`
	// Detail explains the outcome in one sentence.
	Detail string `json:"detail,omitempty"`
	// Hint names a remedy: a line of config, a package, a fix.
	Hint string `json:"hint,omitempty"`
	// Unreached reports that the command was not run because others used up the time of
	// the detection. The outcome is Timeout, which does not count against the runtime.
	Unreached bool `json:"-"`
}
