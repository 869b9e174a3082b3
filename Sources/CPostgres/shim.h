// libpq's public header; the folder comes from pkg-config.
#include <libpq-fe.h>
