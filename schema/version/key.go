package version

import (
	"fmt"
	"strings"
)

// The sort key of 3.12.1 is "A3B12A1." and that of 3.12.1-rc1 "A3B12A1-rcA1":
//
//   - A number is a letter for how many digits it has (A is one), then the
//     digits; 26 digits and more are "Z", the count in three digits, and the
//     digits. So longer numbers sort after shorter ones.
//   - After the last number comes "-" and the pre-release, or "." for a
//     release. "-" sorts before ".", and both before a further number.
//   - In a pre-release a comma stands for the dot: it sorts before all that can
//     go on an identifier. Letters are in lower case and so sort after numbers.
const (
	prereleaseMark = "-"
	releaseMark    = "."
	// after sorts before all that can go on a key: key+after is the least text
	// that sorts after key and before all keys greater than it.
	after = "!"
)

// version returns the version that p's numbers and pre-release say.
func (p parts) version() Version {
	numbers := significant(p.numbers)
	text := strings.Join(numbers, ".")
	if p.pre != "" {
		text += "-" + p.pre
	}
	return Version{text: text, key: key(numbers, p.pre)}
}

// significant pads to three numbers, and drops zeros at the end after the
// third: 3.12, 3.12.0 and 3.12.0.0 are one version.
func significant(numbers []string) []string {
	n := len(numbers)
	for n > 3 && numbers[n-1] == "0" {
		n--
	}
	numbers = numbers[:n:n]
	for len(numbers) < 3 {
		numbers = append(numbers, "0")
	}
	return numbers
}

func key(numbers []string, pre string) string {
	b := make([]byte, 0, 24+2*len(pre))
	for _, number := range numbers {
		b = appendNumber(b, number)
	}
	if pre == "" {
		return string(append(b, releaseMark...))
	}
	b = append(b, prereleaseMark...)
	for i := 0; i < len(pre); {
		if n := digits(pre[i:]); n > 0 {
			b = appendNumber(b, pre[i:i+n])
			i += n
			continue
		}
		c := pre[i]
		if c == '.' {
			c = ','
		}
		b = append(b, c)
		i++
	}
	return string(b)
}

func appendNumber(b []byte, number string) []byte {
	if n := len(number); n < 26 {
		b = append(b, 'A'+byte(n-1))
	} else {
		b = fmt.Appendf(b, "Z%03d", n)
	}
	return append(b, number...)
}

// lowest returns the bound below all versions of these numbers, their
// pre-releases included.
func lowest(numbers []string) string {
	release := key(significant(numbers), "")
	return strings.TrimSuffix(release, releaseMark) + prereleaseMark
}
