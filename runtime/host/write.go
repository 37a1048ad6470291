package host

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A recording is the file of a recorded host.
type recording struct {
	Host struct {
		OS   string         `yaml:"os"`
		Arch string         `yaml:"arch"`
		User string         `yaml:"user"`
		Home absolutePath   `yaml:"home"`
		Path []absolutePath `yaml:"path,flow"`
		// Variables holds those that a location begins with.
		Variables map[locationVariable]absolutePath `yaml:"variables,omitempty"`
	} `yaml:"host"`
	Binaries []writtenBinary         `yaml:"binaries"`
	Links    map[absolutePath]string `yaml:"links,omitempty"`
	Files    map[absolutePath]output `yaml:"files,omitempty"`
}

type writtenBinary struct {
	Path  absolutePath `yaml:"path"`
	Fault string       `yaml:"fault,omitempty"`
	Runs  []writtenRun `yaml:"runs,omitempty"`
}

type writtenRun struct {
	Args      []string      `yaml:"args,flow"`
	Stdout    output        `yaml:"stdout"`
	Stderr    output        `yaml:"stderr"`
	ExitCode  exitStatus    `yaml:"exit_code"`
	Truncated bool          `yaml:"truncated,omitempty"`
	Signal    string        `yaml:"signal,omitempty"`
	Error     string        `yaml:"error,omitempty"`
	Timeout   bool          `yaml:"timeout,omitempty"`
	Duration  time.Duration `yaml:"duration"`
}

// An output is the output of a command. Several lines are written as a block, unless the
// first begins with white space, which would not survive.
type output string

// MarshalYAML returns the node with the style for the text.
func (o output) MarshalYAML() (any, error) {
	s := string(o)
	if !utf8.ValidString(s) {
		return s, nil // becomes !!binary
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	if line, _, more := strings.Cut(s, "\n"); more && strings.Count(s, "\n") > 1 && line != "" && !unicode.IsSpace(rune(line[0])) {
		n.Style = yaml.LiteralStyle
	}
	return n, nil
}

// WriteTo writes the recording as YAML, sorted by path. It replaces the home folder and the
// user's name everywhere, including outputs and files, and changes nothing else.
func (r *Recorder) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b bytes.Buffer
	b.WriteString("# A recorded host. The home folder and the user's name are replaced.\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(r.recording()); err != nil {
		return 0, fmt.Errorf("write recorded host: %w", err)
	}
	n, err := b.WriteTo(w)
	if err != nil {
		return n, fmt.Errorf("write recorded host: %w", err)
	}
	return n, nil
}

func (r *Recorder) recording() recording {
	info := r.local.Info()
	commands := maps.Clone(r.commands)
	for p := range r.binaries {
		commands[path.Base(p)] = true
	}
	red := newRedactor(r.local.home, info.User, commands)
	var rec recording
	rec.Host.OS, rec.Host.Arch = info.OS, info.Arch
	rec.Host.User, rec.Host.Home = path.Base(defaultHome), defaultHome
	for _, dir := range info.Path {
		rec.Host.Path = append(rec.Host.Path, absolutePath(red.text(dir)))
	}
	rec.Host.Variables = map[locationVariable]absolutePath{}
	for name, folder := range r.variables {
		rec.Host.Variables[locationVariable(name)] = absolutePath(red.text(folder))
	}
	for _, p := range slices.Sorted(maps.Keys(r.binaries)) {
		b := red.binary(r.binaries[p])
		// Two names of the home folder, one of them a link, are one after redaction.
		if !slices.ContainsFunc(rec.Binaries, func(o writtenBinary) bool { return o.Path == b.Path }) {
			rec.Binaries = append(rec.Binaries, b)
		}
	}
	rec.Links, rec.Files = make(map[absolutePath]string), make(map[absolutePath]output)
	for p, target := range r.links {
		rec.Links[absolutePath(red.text(p))] = red.text(target)
	}
	for p, text := range r.files {
		rec.Files[absolutePath(red.text(p))] = output(red.text(text))
	}
	maps.DeleteFunc(rec.Links, func(from absolutePath, to string) bool { return string(from) == to })
	return rec
}

func (r redactor) binary(b *recordedBinary) writtenBinary {
	out := writtenBinary{Path: absolutePath(r.text(b.path)), Fault: r.text(b.fault)}
	for _, run := range b.runs {
		w := writtenRun{
			Args: []string{}, Stdout: output(r.text(run.stdout)), Stderr: output(r.text(run.stderr)), ExitCode: exitStatus(run.exitCode),
			Truncated: run.truncated, Signal: run.signal, Error: r.text(run.err), Timeout: run.timeout,
			Duration: run.duration.Round(10 * time.Microsecond),
		}
		for _, a := range run.args {
			w.Args = append(w.Args, r.text(a))
		}
		out.Runs = append(out.Runs, w)
	}
	slices.SortFunc(out.Runs, func(a, b writtenRun) int { return slices.Compare(a.Args, b.Args) })
	return out
}
