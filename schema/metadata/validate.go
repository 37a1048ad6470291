package metadata

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/version"
)

// Validate reports every fault of the definition as Faults, or nil.
func (d *Definition) Validate() error {
	var c checker
	c.at("/ref", validRef(d.Ref))
	if d.PackRef != "" && d.Ref != "" && d.PackRef != PackOf(d.Ref) {
		c.at("/pack_ref", fmt.Sprintf("is %q, but ref says that the pack is %q", excerpt(d.PackRef), excerpt(PackOf(d.Ref))))
	}
	if strings.TrimSpace(d.Name) == "" {
		c.at("/name", "is required: the name that people read")
	}
	c.under("/aliases", d.Aliases.Validate())
	c.under("/distributions", d.Distributions.Validate())
	c.under("/execution_config", d.ExecutionConfig.Validate())
	seen, isDefault := map[string]int{}, -1
	for i := range d.Versions {
		v, at := &d.Versions[i], index("/versions", i)
		c.under(at, v.Validate())
		if first, ok := seen[v.Version]; ok && v.Version != "" {
			c.at(at+"/version", fmt.Sprintf("%s is declared twice: the first is /versions/%d", excerpt(v.Version), first))
		} else {
			seen[v.Version] = i
		}
		switch {
		case v.IsDefault && isDefault >= 0:
			c.at(at+"/is_default", fmt.Sprintf("only one version can be the default: /versions/%d is too", isDefault))
		case v.IsDefault:
			isDefault = i
		}
	}
	return c.faults.orNil()
}

// Validate reports every fault of the version as Faults, or nil.
func (v *VersionDefinition) Validate() error {
	var c checker
	if v.Version == "" {
		c.at("/version", `is required: a version such as "3.12"`)
	}
	c.version("/version", v.Version)
	c.under("/distributions", v.Distributions.Validate())
	c.under("/execution_config", v.ExecutionConfig.Validate())
	return c.faults.orNil()
}

// Validate reports every fault of the metadata as Faults, or nil. A document
// without verification has no fault: its runtime is just never available.
func (d Distributions) Validate() error {
	if d.fault != nil {
		return d.fault
	}
	var c checker
	if d.Verification != nil {
		c.under("/verification", d.Verification.Validate())
	}
	c.version("/min_version", d.MinVersion)
	c.version("/recommended_version", d.RecommendedVersion)
	for i, role := range d.Roles {
		switch {
		case role != Worker && role != Sensor:
			c.at(index("/roles", i), fmt.Sprintf("must be %s or %s, not %q", Worker, Sensor, excerpt(string(role))))
		case i > 0 && d.Roles[0] == role:
			c.at(index("/roles", i), fmt.Sprintf("%s is there twice", role))
		}
	}
	return c.faults.orNil()
}

// Validate reports every fault of the way to verify as Faults, or nil.
func (v Verification) Validate() error {
	var c checker
	for i := range v.Commands {
		c.under(index("/commands", i), v.Commands[i].Validate())
	}
	for i, name := range v.Env {
		if !envName.MatchString(name) {
			c.at(index("/env", i), fmt.Sprintf("%q is no name of an environment variable", excerpt(name)))
		}
	}
	for i, pattern := range v.Locations {
		c.at(index("/locations", i), validLocation(pattern))
	}
	if v.VersionFile != nil {
		c.under("/version_file", v.VersionFile.Validate())
	}
	return c.faults.orNil()
}

// Validate reports every fault of the command as Faults, or nil.
func (c Command) Validate() error {
	var k checker
	k.at("/binary", validBinary(c.Binary))
	if c.ExitCode < 0 || c.ExitCode > 255 {
		k.at("/exit_code", fmt.Sprintf("must be from 0 to 255, not %d", c.ExitCode))
	}
	k.pattern("/pattern", c.Pattern, 0)
	k.pattern("/version_pattern", c.VersionPattern, 1)
	if p := c.PriorityOrDefault(); int(int32(p)) != p {
		k.at("/priority", fmt.Sprintf("must fit into 32 bits, not %d", p))
	}
	if t := Duration(c.TimeoutOrDefault()); t <= 0 || t > MaxTimeout {
		k.at("/timeout", fmt.Sprintf("must be more than 0s and at most %s, not %s", MaxTimeout, t))
	}
	return k.faults.orNil()
}

// Validate reports every fault of the version file as Faults, or nil.
func (f VersionFile) Validate() error {
	var c checker
	switch {
	case f.Path == "":
		c.at("/path", "is required: a path from the executable's folder, such as ../release")
	case strings.HasPrefix(f.Path, "/") || strings.HasPrefix(f.Path, "~"):
		c.at("/path", "must be relative to the executable's folder")
	}
	if f.Pattern == "" {
		c.at("/pattern", "is required: an expression whose group is the version")
	}
	c.pattern("/pattern", f.Pattern, 1)
	return c.faults.orNil()
}

// Validate reports every fault of the document as Faults, or nil. Other
// programs keep their own things in it, so it is judged only as far as it must
// be read.
func (e ExecutionConfig) Validate() error { return e.fault }

// Validate reports every fault of the aliases as Faults, or nil.
func (a Aliases) Validate() error {
	if fault := a.Fault(); fault != nil {
		return fault
	}
	var c checker
	seen := make(map[string]int, len(a))
	for i, alias := range a {
		at := index("", i)
		c.at(at, validAlias(alias))
		if first, ok := seen[fold(alias)]; ok {
			c.at(at, fmt.Sprintf("%q is there twice: the first is number %d", excerpt(alias), first))
			continue
		}
		seen[fold(alias)] = i
	}
	return c.faults.orNil()
}

// checker collects faults.
type checker struct{ faults Faults }

// at reports message at pointer; an empty message is no fault.
func (c *checker) at(pointer, message string) {
	if message != "" {
		c.faults = append(c.faults, Fault{pointer, message})
	}
}

// under reports the faults in err as those of the document at pointer.
func (c *checker) under(pointer string, err error) {
	c.faults = append(c.faults, under(pointer, err)...)
}

func (c *checker) version(pointer, text string) {
	if text == "" {
		return
	}
	if _, err := version.Parse(text); err != nil {
		c.at(pointer, err.Error())
	}
}

// pattern checks an RE2 expression that must have groups or more.
func (c *checker) pattern(pointer, pattern string, groups int) {
	if pattern == "" {
		return
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	var bad *syntax.Error
	switch {
	case errors.As(err, &bad) && bad.Expr != pattern:
		c.at(pointer, fmt.Sprintf("%s: %s", bad.Code, excerpt(bad.Expr)))
	case errors.As(err, &bad):
		c.at(pointer, bad.Code.String())
	case re.MaxCap() < groups:
		c.at(pointer, `has no group: put what is the version in parentheses, as in "ruby ([0-9.]+)"`)
	}
}

func index(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	refPart = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
)

// BuiltinRef is the one ref of three parts: the sensors that are part of the
// program, kept from the time when each runtime had its side in its ref.
const BuiltinRef = "core.sensor.builtin"

func validRef(ref string) string {
	pack, name, _ := strings.Cut(ref, ".")
	switch {
	case ref == "":
		return `is required: pack.name, such as "core.python"`
	case ref == BuiltinRef || refPart.MatchString(pack) && refPart.MatchString(name):
		return ""
	}
	return fmt.Sprintf("%q must be pack.name in lower case: two parts of letters, digits, _ and -", excerpt(ref))
}

// ValidPackRef says what is wrong with the ref of a pack; empty is nothing.
func ValidPackRef(ref string) string {
	switch {
	case ref == "":
		return `is required: the pack's name, such as "core"`
	case !refPart.MatchString(ref):
		return fmt.Sprintf("%q must be in lower case: letters, digits, _ and -", excerpt(ref))
	}
	return ""
}

// validBinary accepts a name that PATH can find, or an absolute path. A shell
// would be needed for anything else, and none is ever used.
func validBinary(binary string) string {
	switch {
	case binary == "":
		return "is required: a name that is looked up in PATH, or an absolute path"
	case strings.ContainsFunc(binary, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return fmt.Sprintf("%q holds a blank: a command is no shell line, its arguments go into args", excerpt(binary))
	case strings.ContainsAny(binary, "|&;<>()$`\\\"'*?[]{}~#!"):
		return fmt.Sprintf("%q holds a character that only a shell would understand", excerpt(binary))
	case strings.HasPrefix(binary, "/"):
		if binary == "/" || path.Clean(binary) != binary {
			return fmt.Sprintf("%q must be a plain absolute path, without . or .. and doubled slashes", excerpt(binary))
		}
	case strings.Contains(binary, "/"):
		return fmt.Sprintf("%q is a relative path: give a name that is looked up in PATH, or an absolute path", excerpt(binary))
	case strings.HasPrefix(binary, ".") || strings.HasPrefix(binary, "-"):
		return fmt.Sprintf("%q is no name of an executable", excerpt(binary))
	}
	return ""
}

func validLocation(pattern string) string {
	if !strings.HasPrefix(pattern, "/") && !strings.HasPrefix(pattern, "~/") {
		return fmt.Sprintf("%q must begin with / or ~/", excerpt(pattern))
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Sprintf("%q: a bracket or a backslash in the glob has no end", excerpt(pattern))
	}
	return ""
}

// validAlias keeps aliases to what can be written in ATTUNE_WORKER_RUNTIMES
// and before a constraint: python@>=3.12.
func validAlias(alias string) string {
	switch {
	case strings.TrimSpace(alias) == "":
		return "must not be blank"
	case strings.TrimSpace(alias) != alias:
		return fmt.Sprintf("%q has blanks around it", excerpt(alias))
	case strings.ContainsFunc(alias, func(c rune) bool { return c < ' ' || c == 0x7f || c == ',' || c == '@' }):
		return fmt.Sprintf("%q must not hold a comma, an @ or a control character", excerpt(alias))
	case fold(alias) == "none":
		return `"none" means the empty list of runtimes, and cannot name one`
	}
	return ""
}
