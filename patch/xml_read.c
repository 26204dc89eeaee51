/* XML -> form JSON. No network, no file, no entity but the five of XML: a document type declaration is refused. */
#include "config.h"

#include "patch/patch_internal.h"

#include <libxml/parser.h>
#include <limits.h>

#define DEPTH_MAX 256

struct reader {
	struct arena *a;
	struct err *err;
	int depth;
};

static struct slice of_xml(const xmlChar *text)
{
	return slice_of((const char *)text);
}

static int in_json_namespace(const xmlNs *ns)
{
	return ns && slice_is(of_xml(ns->href), PATCH_JSON_XMLNS);
}

/* ---- text ---- */

static size_t text_size(const xmlNode *first)
{
	size_t n = 0;
	for (const xmlNode *c = first; c; c = c->next)
		if (c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE)
			n += strlen((const char *)c->content);
	return n;
}

/* The text of the nodes that are text, one after another. */
static struct slice text_of(struct reader *r, const xmlNode *first)
{
	size_t size = text_size(first), at = 0;
	char *text = arena_alloc(r->a, size + 1);
	for (const xmlNode *c = first; c; c = c->next) {
		size_t n;
		if (c->type != XML_TEXT_NODE && c->type != XML_CDATA_SECTION_NODE)
			continue;
		n = strlen((const char *)c->content);
		memcpy(text + at, c->content, n);
		at += n;
	}
	text[at] = 0;
	return (struct slice){text, at};
}

/* ---- attributes ---- */

struct marks {             /* what attributes of the JSON namespace say of the element itself */
	struct slice name; /* SLICE_NONE: its own */
	int text;
};

static int read_attribute(struct reader *r, const xmlAttr *attr, struct json *v, struct marks *marks)
{
	struct slice name = of_xml(attr->name), text = text_of(r, attr->children);
	if (in_json_namespace(attr->ns)) {
		if (slice_is(name, "text")) {
			marks->text = 1;
			return 0;
		}
		int rc = patch_json_outside(text, r->a, &text, r->err);
		if (rc)
			return rc;
		if (slice_is(name, "name")) {
			marks->name = text;
			return 0;
		}
	}
	json_set(r->a, v, arena_printf(r->a, "@%.*s", SLICE_ARG(name)), json_string(text));
	return 0;
}

/* The namespace that an element's children are in when they say nothing; that of the JSON mark is transparent. */
static struct slice namespace_of(const xmlNode *node, struct slice around)
{
	if (in_json_namespace(node->ns))
		return around;
	return node->ns && node->ns->href ? of_xml(node->ns->href) : SLICE("");
}

static int read_attributes(struct reader *r, const xmlNode *node, struct json *v, struct marks *marks)
{
	int rc = 0;
	for (const xmlAttr *attr = node->properties; attr && rc == 0; attr = attr->next)
		rc = read_attribute(r, attr, v, marks);
	return rc;
}

/* ---- elements ---- */

static int read_element(struct reader *r, const xmlNode *node, struct slice around, struct slice *name, struct json *v);

/* One element of a name is its value, several are a list. */
static void add_child(struct reader *r, struct json *v, struct slice name, struct json child)
{
	const struct json *there = json_get(v, name);
	struct json list;
	if (!there) {
		json_set(r->a, v, name, child);
		return;
	}
	if (there->type == JSON_ARRAY) {
		list = *there;
	} else {
		list = json_array();
		json_push(r->a, &list, *there);
	}
	json_push(r->a, &list, child);
	json_set(r->a, v, name, list);
}

static int read_children(struct reader *r, const xmlNode *node, struct slice namespace, struct json *v, int *any)
{
	*any = 0;
	for (const xmlNode *c = node->children; c; c = c->next) {
		struct slice name;
		struct json child;
		int rc;
		if (c->type == XML_ENTITY_REF_NODE)
			return err_set(r->err, ERR_SYNTAX, "the form uses an entity");
		if (c->type != XML_ELEMENT_NODE)
			continue;
		rc = read_element(r, c, namespace, &name, &child);
		if (rc)
			return rc;
		add_child(r, v, name, child);
		*any = 1;
	}
	return 0;
}

/* Text beside child elements is layout. */
static int read_text(struct reader *r, const xmlNode *node, const struct marks *marks, struct slice *text)
{
	*text = text_of(r, node->children);
	return marks->text ? patch_json_outside(*text, r->a, text, r->err) : 0;
}

static int read_content(struct reader *r, const xmlNode *node, struct slice namespace, const struct marks *marks,
			struct json *v)
{
	struct slice text;
	int any, rc = read_children(r, node, namespace, v, &any);
	if (rc || any)
		return rc;
	rc = read_text(r, node, marks, &text);
	if (rc)
		return rc;
	if (v->count == 0)
		*v = json_string(text);
	else if (text.len)
		json_sets(r->a, v, "#text", json_string(text));
	return 0;
}

static int read_element(struct reader *r, const xmlNode *node, struct slice around, struct slice *name, struct json *v)
{
	struct slice namespace = namespace_of(node, around);
	struct marks marks = {.name = SLICE_NONE};
	int rc;
	if (++r->depth > DEPTH_MAX)
		return err_set(r->err, ERR_LIMIT, "the form is nested deeper than %d elements", DEPTH_MAX);
	*v = json_object();
	if (!slice_eq(namespace, around))
		json_sets(r->a, v, "@xmlns", json_string(arena_slice(r->a, namespace)));
	rc = read_attributes(r, node, v, &marks);
	if (rc == 0)
		rc = read_content(r, node, namespace, &marks, v);
	*name = marks.name.ptr ? marks.name : arena_slice(r->a, of_xml(node->name));
	r->depth--;
	return rc;
}

static int read_root(struct reader *r, const xmlNode *root, struct json *body)
{
	struct slice name;
	struct json v;
	int rc = read_element(r, root, SLICE(""), &name, &v);
	if (rc)
		return rc;
	*body = json_object();
	json_sets(r->a, body, "#type", json_string(name));
	for (uint32_t i = 0; v.type == JSON_OBJECT && i < v.count; i++)
		json_set(r->a, body, v.members[i].key, v.members[i].value);
	if (v.type == JSON_STRING && v.text.len)
		json_sets(r->a, body, "#text", v);
	return 0;
}

/* ---- the parser ---- */

static int no_xml(const xmlParserCtxt *ctxt, struct err *err)
{
	const xmlError *why = &ctxt->lastError;
	const char *said = why->message ? why->message : "no document";
	int n = (int)strcspn(said, "\n");
	return err_set(err, ERR_SYNTAX, "the form is no XML: line %d: %.*s", why->line, n, said);
}

int patch_xml_read(struct slice xml, struct arena *a, struct json *body, struct err *err)
{
	static const int options =
	    XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
	struct reader r = {.a = a, .err = err};
	xmlParserCtxt *ctxt;
	xmlDoc *doc;
	int rc;
	if (xml.len > INT_MAX)
		return err_set(err, ERR_LIMIT, "the form is larger than %d bytes", INT_MAX);
	if (memmem(xml.ptr ? xml.ptr : "", xml.len, "<!DOCTYPE", 9))
		return err_set(err, ERR_SYNTAX, "the form has a document type declaration");
	ctxt = xmlNewParserCtxt();
	if (!ctxt)
		return err_set(err, ERR_INTERNAL, "out of memory");
	doc = xmlCtxtReadMemory(ctxt, xml.ptr ? xml.ptr : "", (int)xml.len, NULL, "UTF-8", options);
	if (!doc)
		rc = no_xml(ctxt, err);
	else if (doc->intSubset || doc->extSubset)
		rc = err_set(err, ERR_SYNTAX, "the form has a document type declaration");
	else
		rc = read_root(&r, xmlDocGetRootElement(doc), body);
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(ctxt);
	return rc;
}
