# Debian's Python 3.11 under the names that the official image has.
FROM standin-base
RUN ln -s /usr/bin/python3 /usr/local/bin/python3 && ln -s /usr/bin/python3 /usr/local/bin/python
