package web

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
)

// A subjects is the data of the page Actions, which also has the sensors.
type subjects struct {
	// Kind is action or sensor, and Plural the heading.
	Kind, Plural string
	Choices      []choice
	Pack         string
	Fleet        int
	Items        []subjectEntry
	// First and Next are the addresses of the first and the next page. They are empty on the first and the last one.
	First, Next string
}

// A subjectEntry is an action or a sensor in the table.
type subjectEntry struct {
	answer.SubjectCount
	// Requirement is as the arguments of `attune place`, or as JSON if they cannot express it.
	Requirement string
	// Address is where the page Why not answers its requirement, from the root.
	Address string
	// Level is 0 if no host fits, to 5 for all.
	Level int
}

func loadSubjects(v *view) (any, error) {
	given := v.request.URL.Query()
	s := &subjects{Kind: "action", Plural: "Actions", Pack: given.Get("pack")}
	path := "/v1/actions"
	if given.Get("kind") == "sensor" {
		s.Kind, s.Plural, path = "sensor", "Sensors", "/v1/sensors"
	}
	v.title = s.Plural
	for _, c := range [][2]string{{"action", "actions"}, {"sensor", "sensors"}} {
		s.Choices = append(s.Choices, choice{Name: c[1], Address: v.address("kind", c[0]), Here: c[0] == s.Kind})
	}
	query, same := url.Values{"limit": {strconv.Itoa(rows)}}, url.Values{}
	command := []string{"attune", "place", "--all", "--kind", s.Kind}
	if s.Pack != "" {
		query.Set("pack", s.Pack)
		same.Set("pack", s.Pack)
		command = append(command, option("--pack", s.Pack)...)
	}
	if after := given.Get("after"); after != "" {
		query.Set("after", after)
		same.Set("after", after)
		s.First = v.address()
	}
	list, err := get[subjectList](v, path, query)
	if err != nil {
		return nil, err
	}
	if s.Fleet = list.Fleet; list.Next != "" {
		s.Next = v.address("after", list.Next)
	}
	for _, item := range list.Items {
		entry := subjectEntry{
			SubjectCount: item, Address: "why-not?" + url.Values{s.Kind: {item.Ref}}.Encode(), Level: heatOf(item.Fit, list.Fleet).Level,
		}
		if r := item.Requirement; r != nil {
			line, expressed := strings.CutPrefix(placement.Command(r), "attune place")
			if entry.Requirement = strings.TrimSpace(line); !expressed {
				text, err := r.MarshalJSON()
				if err != nil {
					return nil, err
				}
				entry.Requirement = string(text)
			}
		}
		s.Items = append(s.Items, entry)
	}
	v.sameAs("these "+s.Kind+"s", command, path, same)
	return s, nil
}
