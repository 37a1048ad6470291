package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// recordingLimit bounds the file of a recording, in bytes.
const recordingLimit = 64 << 20

// Open reads a recorded host from a YAML file.
func Open(file string) (*Recorded, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open recorded host: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, recordingLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read recorded host: %w", err)
	}
	return Parse(file, data)
}

// Parse reads a recorded host from YAML. Its error lists every fault as name:line: fault.
func Parse(name string, data []byte) (*Recorded, error) {
	if len(data) > recordingLimit {
		return nil, fmt.Errorf("read recorded host %s: more than %d MiB", name, recordingLimit>>20)
	}
	p := &parser{file: name}
	root, err := p.document(data)
	if err != nil {
		return nil, fmt.Errorf("read recorded host: %w", err)
	}
	r := &Recorded{
		info:     Info{User: path.Base(defaultHome)},
		home:     defaultHome,
		binaries: map[string]*recordedBinary{},
		links:    map[string]string{},
		files:    map[string]string{},

		variables: map[string]string{},
	}
	p.mapping(root, "a recorded host", fields{
		"host":     func(n *yaml.Node) { p.host(n, r) },
		"binaries": func(n *yaml.Node) { p.binaries(n, r) },
		"links":    func(n *yaml.Node) { p.paths(n, "links", r.links) },
		"files":    func(n *yaml.Node) { p.paths(n, "files", r.files) },
	})
	if len(p.faults) > 0 {
		return nil, fmt.Errorf("read recorded host: %w", errors.Join(p.faults...))
	}
	return r, nil
}

// A parser reads the nodes of a recording and collects every fault.
type parser struct {
	file   string
	faults []error
}

// fields maps the keys of a mapping to readers of their values.
type fields map[string]func(*yaml.Node)

func (p *parser) fault(n *yaml.Node, format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %s", p.file, n.Line, fmt.Sprintf(format, args...)))
}

func (p *parser) document(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: empty document", p.file)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %s", p.file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document", p.file)
	}
	return doc.Content[0], nil
}

// deref returns the node, or the target of a YAML alias.
func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// pairs calls each for every key and value. A duplicate key is a fault.
func (p *parser) pairs(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	n = deref(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.fault(n, "%s must be a mapping", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := deref(n.Content[i])
		if key.Kind != yaml.ScalarNode {
			p.fault(key, "a key of %s must be text", what)
			continue
		}
		if seen[key.Value] {
			p.fault(key, "duplicate key %q in %s", key.Value, what)
			continue
		}
		seen[key.Value] = true
		each(key, deref(n.Content[i+1]))
	}
}

func (p *parser) mapping(n *yaml.Node, what string, known fields) {
	p.pairs(n, what, func(key, value *yaml.Node) {
		read := known[key.Value]
		if read == nil {
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			p.fault(key, "unknown key %q in %s, want one of %s", key.Value, what, strings.Join(names, ", "))
			return
		}
		read(value)
	})
}

func (p *parser) list(n *yaml.Node, what string, each func(*yaml.Node)) {
	n = deref(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.fault(n, "%s must be a list", what)
		return
	}
	for _, item := range n.Content {
		each(deref(item))
	}
}

// text reads a scalar as it is written, so that 3.10 stays 3.10.
func (p *parser) text(what string, into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		switch {
		case n.Kind != yaml.ScalarNode:
			p.fault(n, "%s must be text", what)
		case n.Tag == "!!null":
			*into = ""
		case n.Tag == "!!binary":
			if err := n.Decode(into); err != nil {
				p.fault(n, "%s must be base64", what)
			}
		default:
			*into = n.Value
		}
	}
}

func (p *parser) texts(what string, into *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		p.list(n, what, func(item *yaml.Node) {
			var s string
			p.text("each of "+what, &s)(item)
			*into = append(*into, s)
		})
	}
}

func (p *parser) flag(what string, into *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(into) != nil {
			p.fault(n, "%s must be true or false", what)
		}
	}
}

func (p *parser) exitCode(into *int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		code, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || code < 0 || code > 255 {
			p.fault(n, "exit_code must be a number from 0 to 255")
			return
		}
		*into = code
	}
}

func (p *parser) duration(into *time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || d < 0 {
			p.fault(n, "duration must be like 9ms or 1.5s, got %q", n.Value)
			return
		}
		*into = d
	}
}

// absolute returns s cleaned. It adds a fault if s is not an absolute path.
func (p *parser) absolute(n *yaml.Node, what, s string) string {
	if !path.IsAbs(s) {
		p.fault(n, "%s must be an absolute path, got %q", what, s)
	}
	return path.Clean(s)
}

func (p *parser) host(n *yaml.Node, r *Recorded) {
	p.mapping(n, "host", fields{
		"os":   p.text("os", &r.info.OS),
		"arch": p.text("arch", &r.info.Arch),
		"user": p.text("user", &r.info.User),
		"home": func(n *yaml.Node) {
			p.text("home", &r.home)(n)
			r.home = p.absolute(n, "home", r.home)
		},
		"variables": func(n *yaml.Node) { p.variables(n, r) },
		"path": func(n *yaml.Node) {
			var dirs []string
			p.texts("path", &dirs)(n)
			for _, dir := range dirs {
				if dir = p.absolute(n, "a folder of path", dir); !slices.Contains(r.info.Path, dir) {
					r.info.Path = append(r.info.Path, dir)
				}
			}
		},
	})
}

// variables reads the variables that locations may begin with.
func (p *parser) variables(n *yaml.Node, r *Recorded) {
	p.pairs(n, "variables", func(key, value *yaml.Node) {
		var folder string
		p.text("each value of variables", &folder)(value)
		if !locates(key.Value) {
			p.fault(key, "unknown variable %q", key.Value)
		}
		r.variables[key.Value] = p.absolute(value, key.Value, folder)
	})
}

func (p *parser) binaries(n *yaml.Node, r *Recorded) {
	p.list(n, "binaries", func(item *yaml.Node) {
		b := &recordedBinary{}
		p.mapping(item, "a binary", fields{
			"path":  p.text("path", &b.path),
			"fault": p.text("fault", &b.fault),
			"runs": func(n *yaml.Node) {
				p.list(n, "runs", func(run *yaml.Node) { p.run(run, b) })
			},
		})
		b.path = p.absolute(item, "path of a binary", b.path)
		if r.binaries[b.path] != nil {
			p.fault(item, "duplicate binary %s", b.path)
		}
		r.binaries[b.path] = b
	})
}

func (p *parser) run(n *yaml.Node, b *recordedBinary) {
	var run recordedRun
	p.mapping(n, "a run", fields{
		"args":      p.texts("args", &run.args),
		"stdout":    p.text("stdout", &run.stdout),
		"stderr":    p.text("stderr", &run.stderr),
		"truncated": p.flag("truncated", &run.truncated),
		"exit_code": p.exitCode(&run.exitCode),
		"signal":    p.text("signal", &run.signal),
		"duration":  p.duration(&run.duration),
		"timeout":   p.flag("timeout", &run.timeout),
		"error":     p.text("error", &run.err),
	})
	for _, other := range b.runs {
		if slices.Equal(other.args, run.args) {
			p.fault(n, "duplicate run of %s with args %q", b.path, run.args)
		}
	}
	b.runs = append(b.runs, run)
}

func (p *parser) paths(n *yaml.Node, what string, into map[string]string) {
	p.pairs(n, what, func(key, value *yaml.Node) {
		var s string
		p.text("each value of "+what, &s)(value)
		into[p.absolute(key, "each key of "+what, key.Value)] = s
	})
}
