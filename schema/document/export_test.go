package document

// TextEnd is for tests.
var TextEnd = textEnd
