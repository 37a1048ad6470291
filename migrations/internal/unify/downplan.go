package unify

import (
	"context"
	"slices"
	"strings"
)

// A DownPlan is what Down would do.
type DownPlan struct {
	Schema string `json:"schema"`
	// Runtimes holds the rows that are restored in runtime.
	Runtimes []Restored `json:"runtimes"`
	// Tables counts the rows in the ledger, by column.
	Tables []Repointed `json:"tables"`
	// Changes lists the changes of the catalog in order: what Up dropped is added again, and what it
	// added is dropped.
	Changes []Change `json:"changes"`
	// Losses lists the data without a legacy form. Down refuses it without Force.
	Losses []Loss `json:"losses"`
	// Obstacles must be cleared first.
	Obstacles []Obstacle `json:"obstacles"`
}

// A Restored is a row that is restored in runtime.
type Restored struct {
	Ref string `json:"ref"`
	// ID is 0 for a row that gets a new ID.
	ID int64 `json:"id"`
	// From is the present ref.
	From string `json:"from"`
	// Former reports that the row existed before. Other rows are created for what was added since.
	Former bool `json:"former"`
}

func (d *downSession) examineDown(ctx context.Context) (*DownPlan, error) {
	plan := &DownPlan{Schema: d.schema}
	var err error
	if plan.Obstacles, err = d.downObstacles(ctx); err != nil || len(plan.Obstacles) > 0 {
		return plan, err
	}
	err = d.load(ctx, "find the rows to restore",
		"SELECT ref, coalesce(id, 0) AS id, current_ref AS \"from\", former FROM ("+d.restoredRows()+") m WHERE place = 1 ORDER BY ref",
		&plan.Runtimes)
	if err != nil {
		return nil, err
	}
	err = d.load(ctx, "count the ledger", `SELECT n.nspname || '.' || c.relname AS "table", l.col AS "column", count(*) AS rows
FROM `+d.record(ledgerTable)+` l JOIN pg_class c ON c.oid = l.tbl JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY 1, 2 ORDER BY 1, 2`, &plan.Tables)
	if err != nil {
		return nil, err
	}
	plan.Changes = d.undoneChanges()
	plan.Losses, err = d.losses(ctx)
	return plan, err
}

// undoneChanges returns the changes of the catalog that Down makes, one for each object. A check that
// is replaced by the former one is a change.
func (d *downSession) undoneChanges() []Change {
	changes := []Change{}
	for _, u := range d.undo {
		i := slices.IndexFunc(changes, func(c Change) bool { return c.Object == u.Object })
		switch action := u.action(); {
		case i < 0:
			changes = append(changes, Change{Action: action, Object: u.Object})
		case changes[i].Action == "change":
			changes[i].Action = action
		case action != "change" && action != changes[i].Action:
			changes[i].Action = "change"
		}
	}
	return changes
}

// action returns what the SQL of this package does to the object.
func (u *undo) action() string {
	is := func(begin, then string) bool {
		return strings.HasPrefix(u.Undo, begin) && strings.Contains(u.Undo, then)
	}
	switch {
	case is("DROP ", ""), is("ALTER ", " DROP COLUMN "), is("ALTER ", " DROP CONSTRAINT "):
		return "drop"
	case is("CREATE ", ""), is("ALTER ", " ADD COLUMN "), is("ALTER ", " ADD CONSTRAINT "):
		return "add"
	}
	return "change"
}

// downObstacles returns missing privileges, keys that the former refs would violate, and objects
// of others that use what Up added.
func (d *downSession) downObstacles(ctx context.Context) ([]Obstacle, error) {
	found := d.tableObstacles()
	found = append(found, d.keyObstacles()...)
	for _, step := range []func(context.Context) ([]Obstacle, error){
		d.createObstacles, d.ruleObstacles, d.publicationObstacles, d.addedObstacles} {
		more, err := step(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

func (d *downSession) addedObstacles(ctx context.Context) ([]Obstacle, error) {
	var drops []dropTarget
	for _, a := range additions {
		if t := d.ownTable(a.table); t != nil && d.isAdded("column "+a.table+"."+a.column) {
			if c, ok := t.column(a.column); ok {
				reason := "it uses " + a.table + "." + a.column + ", which is dropped"
				drops = append(drops, dropTarget{table: t.OID, numbers: []int{c.Num}, reason: reason})
			}
		}
	}
	for _, r := range d.references {
		if t := r.table; d.isAdded("table "+versionTable) && t.Schema == d.schema && t.Name == versionTable {
			drop := dropTarget{table: t.OID, numbers: []int{0}, reason: "it uses " + versionTable + ", which is dropped"}
			for _, c := range t.Columns {
				drop.numbers = append(drop.numbers, c.Num)
			}
			drops = append(drops, drop)
		}
	}
	var found []Obstacle
	for _, drop := range drops {
		more, err := d.dependents(ctx, drop)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}
