/* OpenSSL 3.0, what of it is a macro, and the bytes between it and a socket. */
#ifndef FRAMESTREAMING_COPENSSL_H
#define FRAMESTREAMING_COPENSSL_H
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Between a session and its socket. Reads call recv, and never wait, whatever the socket's mode. Writes only collect: so a write to a
   full or broken socket cannot fail within the session, which reads on, and a peer that is gone raises no SIGPIPE. */
typedef struct {
    int fd;
    int code;     /* the errno of a recv that failed; 0 = none has */
    int ended;    /* the peer's bytes have ended */
    size_t left;  /* bytes that the call in hand may still take: the session reads on over messages without data, which a peer may
                     send without end, and a write must take none, for nobody would be told of what it took */
    unsigned char *bytes;
    size_t start, end, capacity;
} fs_tls_io;

/* More than a session ever leaves behind: a caller passes it on before it adds much. */
#define FS_TLS_MOST_COLLECTED (1u << 20)

static inline int fs_tls_io_read(BIO *bio, char *room, int count) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    ssize_t got;
    BIO_clear_retry_flags(bio);
    if (io->left == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if ((size_t)count > io->left) count = (int)io->left;
    do got = recv(io->fd, room, (size_t)count, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        io->left -= (size_t)got;
        return (int)got;
    }
    if (got == 0) io->ended = 1;
    else if (errno == EAGAIN || errno == EWOULDBLOCK) BIO_set_retry_read(bio);
    else io->code = errno;
    return got == 0 ? 0 : -1;
}

static inline int fs_tls_io_write(BIO *bio, const char *bytes, int count) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    size_t used = io->end - io->start, needed = used + (size_t)count;
    BIO_clear_retry_flags(bio);
    if (count < 0 || needed > FS_TLS_MOST_COLLECTED) return -1;
    if (io->capacity - io->end < (size_t)count) {
        if (used > 0) memmove(io->bytes, io->bytes + io->start, used);
        io->start = 0;
        io->end = used;
        if (io->capacity < needed) {
            size_t capacity = needed < 4096 ? 4096 : needed < 65536 ? 65536 : needed + 65536;
            unsigned char *larger = (unsigned char *)realloc(io->bytes, capacity);
            if (larger == NULL) return -1;
            io->bytes = larger;
            io->capacity = capacity;
        }
    }
    memcpy(io->bytes + io->end, bytes, (size_t)count);
    io->end += (size_t)count;
    return count;
}

static inline long fs_tls_io_control(BIO *bio, int command, long number, void *pointer) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : command == BIO_CTRL_EOF ? io->ended : 0;
}

static inline int fs_tls_io_free(BIO *bio) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    if (io != NULL) free(io->bytes);
    free(io);
    BIO_set_data(bio, NULL);
    return 1;
}

static inline BIO_METHOD *fs_tls_io_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "frame-streaming");
    if (method == NULL) return NULL;
    BIO_meth_set_read(method, fs_tls_io_read);
    BIO_meth_set_write(method, fs_tls_io_write);
    BIO_meth_set_ctrl(method, fs_tls_io_control);
    BIO_meth_set_destroy(method, fs_tls_io_free);
    return method;
}

/* Gives a session its socket, which stays the caller's. NULL = there is no memory. What it returns lives as long as the session. */
static inline fs_tls_io *fs_tls_attach(SSL *ssl, const BIO_METHOD *method, int fd) {
    fs_tls_io *io = (fs_tls_io *)calloc(1, sizeof *io);
    BIO *bio = io == NULL ? NULL : BIO_new(method);
    if (bio == NULL) {
        free(io);
        return NULL;
    }
    io->fd = fd;
    BIO_set_data(bio, io);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return io;
}

static inline size_t fs_tls_collected(const fs_tls_io *io) { return io->end - io->start; }

/* Sends what was collected. 1 = all, 0 = the socket is full, -1 = it failed (errno). */
static inline int fs_tls_flush(fs_tls_io *io) {
    while (io->start < io->end) {
        ssize_t sent = send(io->fd, io->bytes + io->start, io->end - io->start, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        }
        io->start += (size_t)sent;
    }
    io->start = io->end = 0;
    /* An idle connection keeps no large buffer. */
    if (io->capacity > 262144) {
        free(io->bytes);
        io->bytes = NULL;
        io->capacity = 0;
    }
    return 1;
}

/* Collects an alert without encryption, protocol_version, for a peer that does not speak TLS: OpenSSL says nothing to one. A plain peer
   of this package recognises TLS by it. */
static inline void fs_tls_refuse_plain(SSL *ssl) {
    static const char alert[7] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46};
    fs_tls_io_write(SSL_get_rbio(ssl), alert, sizeof alert);
}

static inline int fs_no_password(char *room, int size, int writing, void *data) {
    (void)room;
    (void)size;
    (void)writing;
    (void)data;
    return 0;
}

/* Called before anything else of OpenSSL: its cleanup at the exit would run under threads that still use it. */
static inline void fs_tls_begin(void) { OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL); }

/* What every session has in common: TLS 1.3 only, nothing early, no renegotiation, no passwords asked for at a terminal, and no groups
   by which a stranger's first message would cost much (ffdhe8192: 133 ms, X25519: 0.3 ms). */
static inline int fs_tls_prepare(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, 65536);
    SSL_CTX_set_default_passwd_cb(context, fs_no_password);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1
        && SSL_CTX_set_max_early_data(context, 0) == 1 && SSL_CTX_set_recv_max_early_data(context, 0) == 1
        /* Sessions, which a pre-shared key is one of, are of one purpose. */
        && SSL_CTX_set_session_id_context(context, (const unsigned char *)"frame-streaming", 15) == 1
        && SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1;
}

static inline void fs_tls_no_tickets(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
}

/* Tickets for reconnects: one a connection, for an hour, and the new ones of a client go to `keep`. */
static inline void fs_tls_tickets(SSL_CTX *context, int (*keep)(SSL *, SSL_SESSION *)) {
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_timeout(context, 3600);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
}

static inline long fs_tls_name_server(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }

/* The session that a pre-shared key stands for (RFC 8446, 4.2.11): TLS_AES_128_GCM_SHA256, whose hash is SHA-256. */
static inline SSL_SESSION *fs_tls_key_session(SSL *ssl, const unsigned char *key, size_t count) {
    const unsigned char code[2] = {0x13, 0x01};
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, code);
    SSL_SESSION *session = SSL_SESSION_new();
    if (cipher != NULL && session != NULL && SSL_SESSION_set1_master_key(session, key, count) == 1
        && SSL_SESSION_set1_id_context(session, (const unsigned char *)"frame-streaming", 15) == 1
        && SSL_SESSION_set_cipher(session, cipher) == 1 && SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

/* The first common name of a certificate, or its first DNS name, as UTF-8. The number of bytes, at most `size`; 0 = it has none. */
static inline int fs_tls_name(X509 *certificate, unsigned char *room, int size) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    int count = 0, index = subject == NULL ? -1 : X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index >= 0) {
        unsigned char *text = NULL;
        int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
        if (length > 0) {
            count = length < size ? length : size;
            memcpy(room, text, (size_t)count);
        }
        if (length >= 0) OPENSSL_free(text);
    }
    if (count == 0) {
        GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        for (int i = 0; count == 0 && names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
            GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
            if (name->type != GEN_DNS) continue;
            int length = ASN1_STRING_length(name->d.dNSName);
            count = length < size ? length : size;
            if (count > 0) memcpy(room, ASN1_STRING_get0_data(name->d.dNSName), (size_t)count);
        }
        GENERAL_NAMES_free(names);
    }
    return count;
}

/* Whether it is within its dates. */
static inline int fs_tls_is_current(X509 *certificate) {
    return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 && X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

/* The first reason of the TLS library among this thread's errors, which are cleared: 0 = there is none. Other libraries number their
   reasons as they like, and so do failures of the system. */
static inline int fs_tls_take_reason(void) {
    unsigned long error;
    int reason = 0;
    while ((error = ERR_get_error()) != 0)
        if (reason == 0 && ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) < 2000) reason = ERR_GET_REASON(error);
    return reason;
}

/* Memory for a secret, on pages of its own: locked and left out of core dumps, as far as the system permits. OpenSSL's memory for
   secrets is its own: what it needs for each thread would have to fit into it, too. */
static inline void *fs_secret_new(size_t count) {
    void *bytes = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) return NULL;
    (void)mlock(bytes, count);
    (void)madvise(bytes, count, MADV_DONTDUMP);
    return bytes;
}

static inline void fs_secret_free(void *bytes, size_t count) {
    OPENSSL_cleanse(bytes, count);
    munmap(bytes, count);
}
#endif
