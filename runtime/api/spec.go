package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var specYAML []byte

// Spec returns the description of the API, OpenAPI 3.1, as JSON.
func Spec() []byte { return spec().json }

// A specification is what the server needs of openapi.yaml.
type specification struct {
	json []byte
	// operations has the operations by the patterns of http.ServeMux, such as
	// GET /v1/workers/{id}.
	operations map[string]*operation
}

// An operation is one method of a path.
type operation struct {
	id, pattern string
	// scope is empty for operations that everybody may use.
	scope Scope
	// parameters has the parameters of the query by name.
	parameters map[string]parameterRule
	// body is the media type of its body, or empty without one, and shape is what the body may have. A nil shape is
	// checked elsewhere.
	body  string
	shape *shape
}

// The media types of bodies.
const (
	jsonBody = "application/json"
	formBody = "application/x-www-form-urlencoded"
)

// A shape is the part of a schema that says which keys a document may have.
type shape struct {
	Ref                  string `yaml:"$ref"`
	AdditionalProperties any    `yaml:"additionalProperties"`
	Properties           map[string]*shape
	Items                *shape
}

// resolve replaces the references below a shape by what they refer to. The schemas of bodies do not refer to themselves.
func (s *shape) resolve(schemas map[string]*shape) {
	if s == nil {
		return
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		*s = *schemas[name]
	}
	s.Items.resolve(schemas)
	for _, property := range s.Properties {
		property.resolve(schemas)
	}
}

// A parameterRule is what a parameter of the query may be.
type parameterRule struct {
	// repeated reports whether it may be given several times, and kind is the type of each value.
	repeated bool
	kind     string
	// values is empty if any value may be given.
	values []string
	// filled refuses an empty text; least and most bound a number if they are not nil.
	filled      bool
	least, most *int64
}

// A specDocument is the part of a specification that is read.
type specDocument struct {
	Security   []map[string][]Scope
	Paths      map[string]map[string]yaml.Node
	Components struct {
		Parameters map[string]parameter
		Schemas    map[string]*shape
	}
}

type parameter struct {
	Ref    string `yaml:"$ref"`
	Name   string
	In     string
	Schema struct {
		bounds `yaml:",inline"`
		Items  bounds
	}
}

// bounds are what a value may be.
type bounds struct {
	Type             string
	Enum             []string
	MinLength        int `yaml:"minLength"`
	Minimum, Maximum *int64
}

type operationSpec struct {
	OperationID string `yaml:"operationId"`
	Security    *[]map[string][]Scope
	Parameters  []parameter
	RequestBody *struct {
		Content map[string]struct {
			Schema *shape
		}
	} `yaml:"requestBody"`
}

// spec reads the specification, which is part of the program.
var spec = sync.OnceValue(func() *specification {
	s, err := readSpec(specYAML)
	if err != nil {
		panic(fmt.Sprintf("read openapi.yaml: %v", err))
	}
	return s
})

func readSpec(text []byte) (*specification, error) {
	var whole any
	if err := yaml.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	s := &specification{operations: map[string]*operation{}}
	var err error
	if s.json, err = json.Marshal(whole); err != nil {
		return nil, err
	}
	var doc specDocument
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	for path, methods := range doc.Paths {
		var shared []parameter
		if node, ok := methods["parameters"]; ok {
			if err := node.Decode(&shared); err != nil {
				return nil, err
			}
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			node, ok := methods[strings.ToLower(method)]
			if !ok {
				continue
			}
			var d operationSpec
			if err := node.Decode(&d); err != nil {
				return nil, err
			}
			pattern := method + " " + path
			s.operations[pattern] = doc.operation(pattern, &d)
		}
	}
	return s, nil
}

// query returns the operation whose parameters stand in the body of a POST.
func (s *specification) query(post *operation) *operation {
	return s.operations[http.MethodGet+strings.TrimPrefix(post.pattern, http.MethodPost)]
}

// operation returns the operation of a pattern.
func (doc *specDocument) operation(pattern string, d *operationSpec) *operation {
	o := &operation{id: d.OperationID, pattern: pattern, parameters: map[string]parameterRule{}}
	security := doc.Security
	if d.Security != nil {
		security = *d.Security
	}
	for _, scheme := range security {
		for _, scopes := range scheme {
			for _, scope := range scopes {
				o.scope = scope
			}
		}
	}
	if d.RequestBody != nil {
		for kind, content := range d.RequestBody.Content {
			o.body, o.shape = kind, content.Schema
		}
		if o.shape.resolve(doc.Components.Schemas); o.shape.AdditionalProperties != false {
			o.shape = nil
		}
	}
	for _, p := range d.Parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = doc.Components.Parameters[name]
		}
		if p.In == "query" {
			repeated, of := p.Schema.Type == "array", p.Schema.bounds
			if repeated {
				of = p.Schema.Items
			}
			o.parameters[p.Name] = parameterRule{repeated, of.Type, of.Enum, of.MinLength > 0 || of.Type != "string", of.Minimum, of.Maximum}
		}
	}
	return o
}
