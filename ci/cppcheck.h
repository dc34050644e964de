/* What cppcheck must know of headers that it does not read. */
#define json_array_foreach(array, i, value) \
	for (i = 0; i < json_array_size(array) && (value = json_array_get(array, i)) != NULL; i++)
#define json_object_foreach(object, key, value) \
	for (key = first_key(object); key && (value = json_object_get(object, key)); \
	     key = next_key(key))
#define JSON_INTEGER_FORMAT "lld"
