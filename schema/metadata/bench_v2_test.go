//go:build goexperiment.jsonv2

package metadata_test

import jsonv2 "encoding/json/v2"

func init() {
	readers = append(readers, struct {
		name string
		read func([]byte) ([]command, error)
	}{"encoding/json/v2", structs(func(doc []byte, v any) error { return jsonv2.Unmarshal(doc, v) })})
}
