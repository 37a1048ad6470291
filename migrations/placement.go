package migrations

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// operatorRelations are the tables that Placement creates.
var operatorRelations = []string{"worker_cordon", "worker_operator_taint"}

// requirementColumns maps the columns of actions and sensors that Placement adds to their defaults.
var requirementColumns = map[string]string{
	"required_worker_runtimes": "{}", "worker_selector": "{}", "worker_tolerations": "[]", "worker_affinity": "{}",
}

// requirementsLost counts the actions and sensors whose requirements Down would drop.
func (m *Migrator) requirementsLost(ctx context.Context, db bun.IDB, in *inspection) (lost []string, err error) {
	if in.guest() {
		return nil, nil
	}
	for _, name := range []string{"action", "sensor"} {
		var set []string
		for _, column := range sortedKeys(requirementColumns) {
			if in.has(name, column) {
				set = append(set, "CAST("+column+" AS text) NOT IN ('"+requirementColumns[column]+"', 'null')")
			}
		}
		if set == nil {
			continue
		}
		var n int64
		err := db.NewRaw("SELECT count(*) FROM ? WHERE "+strings.Join(set, " OR "), bun.Safe(table(in.name, name))).Scan(ctx, &n)
		if err != nil {
			return nil, fmt.Errorf("count the requirements in %s: %w", table(in.name, name), explain(err))
		}
		if n > 0 {
			lost = append(lost, fmt.Sprintf("table %s holds requirements of workers in %s", name, rowCount(n)))
		}
	}
	return lost, nil
}
