package gen

import "strings"

// DeclaredNames returns the names that the Go file of src will declare, as the check for taken names has them.
func DeclaredNames(src Source) ([]string, error) {
	pkg, err := resolve(parse(src))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range pkg.Documents {
		for _, n := range namesOf(d) {
			out = append(out, strings.TrimPrefix(n.String(), "."))
		}
	}
	return out, nil
}
