package errors

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard t.name_that_is_longer_than_what_postgres_has_for_names
//attune:guard table_with_a_name_that_is_longer_than_what_postgres_has_for_names.c
type ANameThatIsLongerThanWhatPostgresHasForNamesAndFor struct {
	More document.Unknown `json:"-"`
	bad  document.Malformed
}
