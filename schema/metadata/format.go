package metadata

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/version"
)

// The formats of texts. Each function returns the fault of a text, or an empty text. JSON
// Schema and the databases check a format by its pattern, and a test keeps both equal.

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	refPart = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
)

// BuiltinRef is the only ref with three parts. It belongs to the sensors that are part of the
// program, and dates from a time when every ref named its side.
const BuiltinRef = "core.sensor.builtin"

// validRef accepts PACK.NAME: two parts in lower case, of letters, digits, _ and -, each
// beginning with a letter or a digit. The only exception is core.sensor.builtin.
//
//attune:format ref core\.sensor\.builtin|[a-z0-9][a-z0-9_-]*\.[a-z0-9][a-z0-9_-]*
func validRef(ref string) string {
	pack, name, _ := strings.Cut(ref, ".")
	switch {
	case ref == "":
		return `is required: pack.name, such as "core.python"`
	case ref == BuiltinRef || refPart.MatchString(pack) && refPart.MatchString(name):
		return ""
	}
	return fmt.Sprintf("must be pack.name in lower case, two parts of letters, digits, _ and -, got %q", document.Excerpt(ref))
}

// ValidPackRef accepts lower case letters, digits, _ and -, beginning with a letter or a
// digit.
//
//attune:format pack-ref [a-z0-9][a-z0-9_-]*
func ValidPackRef(ref string) string {
	switch {
	case ref == "":
		return `is required: the pack's name, such as "core"`
	case !refPart.MatchString(ref):
		return fmt.Sprintf("must be lower case letters, digits, _ and -, got %q", document.Excerpt(ref))
	}
	return ""
}

// validPackVersion accepts any text that is not empty.
//
//attune:format pack-version
func validPackVersion(version string) string {
	if version == "" {
		return `is required: the pack's version, such as "1.0.0"`
	}
	return ""
}

// validName accepts a text that is not blank and has no control characters.
//
//attune:format name [^\x00-\x1f\x7f-\x9f]*[^\x00- \x7f-\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}][^\x00-\x1f\x7f-\x9f]*
func validName(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "is required: the name for people"
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Sprintf("must not contain control characters, got %q", document.Excerpt(name))
	}
	return ""
}

// validBinary accepts a name that is looked up in PATH, or a plain absolute path. Anything
// else would need a shell, which is never used.
//
//attune:format binary (?:/(?:[^./\x00- \x7f|&;<>()$\x60\\"'*?\[\]{}~#!][^/\x00- \x7f|&;<>()$\x60\\"'*?\[\]{}~#!]*|\.[^./\x00- \x7f|&;<>()$\x60\\"'*?\[\]{}~#!][^/\x00- \x7f|&;<>()$\x60\\"'*?\[\]{}~#!]*|\.\.[^/\x00- \x7f|&;<>()$\x60\\"'*?\[\]{}~#!]+))+|[^./\-\x00- \x7f|&;<>()$\x60\\"'*?\[\]{}~#!][^/\x00- \x7f|&;<>()$\x60\\"'*?\[\]{}~#!]*
func validBinary(binary string) string {
	switch {
	case binary == "":
		return "is required: a name that is looked up in PATH, or an absolute path"
	case strings.ContainsFunc(binary, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return fmt.Sprintf("must not contain blanks, got %q: commands are not shell lines, so put arguments into args", document.Excerpt(binary))
	case strings.ContainsAny(binary, "|&;<>()$`\\\"'*?[]{}~#!"):
		return fmt.Sprintf("must not contain characters of shell syntax, got %q", document.Excerpt(binary))
	case strings.HasPrefix(binary, "/"):
		if binary == "/" || path.Clean(binary) != binary {
			return fmt.Sprintf("must be an absolute path without ., .. and doubled slashes, got %q", document.Excerpt(binary))
		}
	case strings.Contains(binary, "/"):
		return fmt.Sprintf("must be a name that is looked up in PATH, or an absolute path, got %q", document.Excerpt(binary))
	case strings.HasPrefix(binary, ".") || strings.HasPrefix(binary, "-"):
		return fmt.Sprintf("must be the name of an executable, got %q", document.Excerpt(binary))
	}
	return ""
}

// locationVariables lists the variables that a location may begin with: the roots of
// version managers and of installations.
var locationVariables = []string{
	"ASDF_DATA_DIR", "DOTNET_ROOT", "FNM_DIR", "GOENV_ROOT", "JAVA_HOME", "JENV_ROOT", "JULIAUP_DEPOT_PATH", "MISE_DATA_DIR",
	"NODENV_ROOT", "NVM_DIR", "PHPENV_ROOT", "PLENV_ROOT", "PYENV_ROOT", "RBENV_ROOT", "RUSTUP_HOME", "SDKMAN_DIR",
	"UV_PYTHON_INSTALL_DIR", "VOLTA_HOME", "XDG_DATA_HOME",
}

// validLocation accepts a glob that begins with /, ~/ or the variable of a version manager,
// as in $PYENV_ROOT/. * and ? stand for anything but /, [a-z] and [^a-z] for one character,
// and \ makes the next character literal.
//
//attune:format location (?:~|\$(?:ASDF_DATA_DIR|DOTNET_ROOT|FNM_DIR|GOENV_ROOT|JAVA_HOME|JENV_ROOT|JULIAUP_DEPOT_PATH|MISE_DATA_DIR|NODENV_ROOT|NVM_DIR|PHPENV_ROOT|PLENV_ROOT|PYENV_ROOT|RBENV_ROOT|RUSTUP_HOME|SDKMAN_DIR|UV_PYTHON_INSTALL_DIR|VOLTA_HOME|XDG_DATA_HOME))?/(?:[^\[\\]|\\[^\x00]|\[(?:\^(?:[^\]\\-]|\\[^\x00])|[^\]\\^-]|\\[^\x00])(?:-(?:[^\]\\-]|\\[^\x00]))?(?:(?:[^\]\\-]|\\[^\x00])(?:-(?:[^\]\\-]|\\[^\x00]))?)*\])*
func validLocation(pattern string) string {
	begin, _, ok := strings.Cut(pattern, "/")
	name, variable := strings.CutPrefix(begin, "$")
	switch {
	case ok && variable && !slices.Contains(locationVariables, name):
		return fmt.Sprintf("must begin with one of the variables %s, got %q", strings.Join(locationVariables, ", "), document.Excerpt(pattern))
	case !ok || !variable && begin != "" && begin != "~":
		return fmt.Sprintf("must begin with /, ~/ or a variable such as $PYENV_ROOT/, got %q", document.Excerpt(pattern))
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Sprintf("must not have an unclosed bracket or a trailing backslash, got %q", document.Excerpt(pattern))
	}
	return ""
}

// validEnvName accepts the name of an environment variable: letters, digits and _, not
// beginning with a digit.
//
//attune:format env-name [A-Za-z_][A-Za-z0-9_]*
func validEnvName(name string) string {
	if !envName.MatchString(name) {
		return fmt.Sprintf("must be the name of an environment variable, got %q", document.Excerpt(name))
	}
	return ""
}

// validRelativePath accepts a path that begins neither with / nor with ~.
//
//attune:format relative-path [^/~][\x00-\x{10ffff}]*
func validRelativePath(p string) string {
	switch {
	case p == "":
		return "is required: a path from the executable's folder, such as ../release"
	case strings.HasPrefix(p, "/") || strings.HasPrefix(p, "~"):
		return fmt.Sprintf("must be relative to the executable's folder, got %q", document.Excerpt(p))
	}
	return ""
}

// validAlias accepts a name for ATTUNE_WORKER_RUNTIMES and for constraints (python@>=3.12):
// text without commas, @, control characters and surrounding blanks, and other than none.
//
//attune:format alias [^\x00- \x7f-\xa0,@\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}](?:[^\x00-\x1f\x7f-\x9f,@]*[^\x00- \x7f-\xa0,@\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}])?
//attune:except [nN][oO][nN][eE]
func validAlias(alias string) string {
	switch {
	case strings.TrimSpace(alias) == "":
		return "must not be blank"
	case strings.TrimSpace(alias) != alias:
		return fmt.Sprintf("must not begin or end with a blank, got %q", document.Excerpt(alias))
	case strings.ContainsAny(alias, ",@") || strings.ContainsFunc(alias, unicode.IsControl):
		return fmt.Sprintf("must not contain a comma, an @ or a control character, got %q", document.Excerpt(alias))
	case fold(alias) == "none":
		return fmt.Sprintf("must not be none, which means the empty list of runtimes, got %q", document.Excerpt(alias))
	}
	return ""
}

// validVersion accepts a version as tools print it and people write it: 3.12, 1.8.0_192,
// 3.13.0rc1.
//
//attune:format version
func validVersion(text string) string {
	if text == "" {
		return `is required: a version such as "3.12"`
	}
	if _, err := version.Parse(text); err != nil {
		return err.Error()
	}
	return ""
}

// validPattern accepts an RE2 expression that compiles to at most 1000 instructions, with at
// most 16 classes \p or \P, and with at most 4 ranges beyond ASCII under the flag i.
// Repetitions count as often as they repeat.
//
//attune:format regexp
func validPattern(pattern string) string { return validGroups(pattern, 0) }

// validVersionPattern accepts an RE2 expression with a group for the version.
//
//attune:format version-pattern
func validVersionPattern(pattern string) string {
	if pattern == "" {
		return "is required: an expression with a group for the version"
	}
	return validGroups(pattern, 1)
}

// validGroups checks an RE2 expression that must have at least so many groups.
func validGroups(pattern string, groups int) string {
	if slow := slowToParse(pattern); slow != "" {
		return slow
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	var bad *syntax.Error
	switch {
	case errors.As(err, &bad) && bad.Expr != pattern:
		return fmt.Sprintf("%s: %s", bad.Code, document.Excerpt(bad.Expr))
	case errors.As(err, &bad):
		return bad.Code.String()
	case programSize(re) > MaxProgram:
		return fmt.Sprintf("must compile to at most %d instructions, got %d: repeat less", MaxProgram, programSize(re))
	case re.MaxCap() < groups:
		return `has no group: put the version in parentheses, as in "ruby ([0-9.]+)"`
	}
	return ""
}
